// Lists as stacks: n times, push 1000 numbers and pop all of them but one; in
// the end pop everything that is left.
"use strict";

const n = Number(process.argv[2] ?? 7000);

let checksum = 0;
const stack = [];
for (let round = 1; round <= n; round++) {
  for (let i = 1; i <= 1000; i++) {
    stack.push((i * round) % 256);
  }
  for (let i = 1; i <= 999; i++) {
    checksum = (checksum + stack.pop() * i) % 1000003;
  }
}
console.log(stack.length);
while (stack.length > 0) {
  checksum = (checksum * 3 + stack.pop()) % 1000003;
}
console.log(checksum);
