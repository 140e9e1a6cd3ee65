// Mandelbrot set: iterate z = z*z + c for every point of an n x n grid,
// at most 50 times.
"use strict";

const n = Number(process.argv[2] ?? 1000);

function mandelbrot(n) {
  let inside = 0;
  let steps = 0;
  for (let row = 0; row < n; row++) {
    const ci = (2.0 * row) / n - 1.0;
    for (let column = 0; column < n; column++) {
      const cr = (2.0 * column) / n - 1.5;
      let zr = 0, zi = 0, zr2 = 0, zi2 = 0;
      let count = 0;
      while (count < 50 && zr2 + zi2 <= 4) {
        zi = 2 * zr * zi + ci;
        zr = zr2 - zi2 + cr;
        zr2 = zr * zr;
        zi2 = zi * zi;
        count++;
      }
      steps += count;
      if (count === 50) inside++;
    }
  }
  console.log(inside);
  console.log(steps);
}

mandelbrot(n);
