// Maps with string keys: insert n keys, look up twice as many (half of them
// absent), remove every third key and add up the values that remain.
"use strict";

const n = Number(process.argv[2] ?? 200000);

const table = new Map();
for (let i = 0; i < n; i++) {
  table.set("key" + i, i % 1000);
}

let found = 0;
let sum = 0;
for (let i = 0; i < 2 * n; i++) {
  const key = "key" + ((i * 7) % (2 * n));
  if (table.has(key)) {
    found++;
    sum += table.get(key);
  }
}
console.log(found);
console.log(sum);

for (let i = 0; i < n; i += 3) {
  table.delete("key" + i);
}
sum = 0;
for (const value of table.values()) {
  sum += value;
}
console.log(table.size);
console.log(sum);
