// Split and join: read n records of ten comma-separated fields, change the
// numbers in them and write them back with another separator.
"use strict";

const n = Number(process.argv[2] ?? 100000);

function makeRecord(id) {
  const fields = ["record" + id];
  for (let column = 1; column <= 9; column++) {
    fields.push(String((id * column) % 1000));
  }
  return fields.join(",");
}

function convert(record) {
  const fields = record.split(",");
  for (let column = 1; column <= 9; column++) {
    fields[column] = String(Number(fields[column]) + column);
  }
  return fields.join("; ");
}

let characters = 0;
let sum = 0;
for (let id = 1; id <= n; id++) {
  const record = convert(makeRecord(id));
  characters += record.length;
  for (const field of record.split("; ")) {
    sum += (field.length * id) % 97;
  }
}
console.log(convert(makeRecord(n)));
console.log(characters);
console.log(sum);
