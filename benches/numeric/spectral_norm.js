// Spectral norm: power iteration on the infinite matrix
// a(i, j) = 1 / ((i + j) * (i + j + 1) / 2 + i + 1), cut to n x n.
"use strict";

const n = Number(process.argv[2] ?? 600);

function a(i, j) {
  return 1 / (((i + j) * (i + j + 1)) / 2 + i + 1);
}

function multiplyA(v, result) {
  const size = v.length;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) {
      sum += a(i, j) * v[j];
    }
    result[i] = sum;
  }
}

function multiplyTransposed(v, result) {
  const size = v.length;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) {
      sum += a(j, i) * v[j];
    }
    result[i] = sum;
  }
}

function spectralNorm(n) {
  const u = new Array(n).fill(1);
  const v = new Array(n).fill(0);
  const temporary = new Array(n).fill(0);
  for (let step = 0; step < 10; step++) {
    multiplyA(u, temporary);
    multiplyTransposed(temporary, v);
    multiplyA(v, temporary);
    multiplyTransposed(temporary, u);
  }
  let uv = 0;
  let vv = 0;
  for (let i = 0; i < n; i++) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return Math.sqrt(uv / vv);
}

console.log(Math.floor(spectralNorm(n) * 1000000000));
