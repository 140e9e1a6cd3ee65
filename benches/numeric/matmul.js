// Matrix multiplication: the schoolbook product of two n x n matrices,
// stored as lists of rows.
"use strict";

const n = Number(process.argv[2] ?? 320);

function makeMatrix(n, seed) {
  const matrix = [];
  for (let i = 0; i < n; i++) {
    const row = [];
    for (let j = 0; j < n; j++) {
      row.push(((i * seed + j * j) % 11) - 4.5);
    }
    matrix.push(row);
  }
  return matrix;
}

function multiply(a, b, n) {
  const product = [];
  for (let i = 0; i < n; i++) {
    const rowOfA = a[i];
    const row = [];
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        sum += rowOfA[k] * b[k][j];
      }
      row.push(sum);
    }
    product.push(row);
  }
  return product;
}

const product = multiply(makeMatrix(n, 3), makeMatrix(n, 7), n);
let trace = 0;
let total = 0;
for (let i = 0; i < n; i++) {
  trace += product[i][i];
  for (const element of product[i]) {
    total += element;
  }
}
console.log(Math.floor(trace * 4));
console.log(Math.floor(total * 4));
