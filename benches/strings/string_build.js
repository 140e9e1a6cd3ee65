// String building: n times, grow a line to 2000 characters by appending one
// digit at a time, then look at a few of them.
"use strict";

const n = Number(process.argv[2] ?? 2000);

function build(round) {
  let line = "";
  for (let i = 0; i < 2000; i++) {
    line = line + ((i + round) % 10);
  }
  return line;
}

let checksum = 0;
for (let round = 1; round <= n; round++) {
  const line = build(round);
  checksum = (checksum + line.length + Number(line[round % 2000]) * round) % 1000003;
}
console.log(checksum);
