// N queens: count the solutions by backtracking, with one list of flags for
// the columns and one for each direction of diagonals.
"use strict";

const n = Number(process.argv[2] ?? 12);

let solutions = 0;
const columns = new Array(n).fill(false);
const rising = new Array(2 * n).fill(false);
const falling = new Array(2 * n).fill(false);

function place(row) {
  if (row === n) {
    solutions++;
    return;
  }
  for (let column = 0; column < n; column++) {
    const up = row + column;
    const down = row - column + n;
    if (!(columns[column] || rising[up] || falling[down])) {
      columns[column] = true;
      rising[up] = true;
      falling[down] = true;
      place(row + 1);
      columns[column] = false;
      rising[up] = false;
      falling[down] = false;
    }
  }
}

place(0);
console.log(solutions);
