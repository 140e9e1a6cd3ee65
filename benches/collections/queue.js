// Queue: breadth-first search through an n x n maze with random walls, with
// the cells that wait kept in an array that is shifted from the front.
"use strict";

const n = Number(process.argv[2] ?? 1200);

function makeMaze(n) {
  const walls = [];
  let seed = 1;
  for (let i = 0; i < n * n; i++) {
    seed = (seed * 16807) % 2147483647;
    walls.push(seed % 100 < 25);
  }
  walls[0] = false;
  return walls;
}

function search(walls, n) {
  const distance = new Array(n * n).fill(-1);
  distance[0] = 0;
  const waiting = [0];
  while (waiting.length > 0) {
    const cell = waiting.shift();
    const steps = distance[cell] + 1;
    const x = cell % n;
    const neighbors = [];
    if (x > 0) neighbors.push(cell - 1);
    if (x < n - 1) neighbors.push(cell + 1);
    if (cell >= n) neighbors.push(cell - n);
    if (cell < n * (n - 1)) neighbors.push(cell + n);
    for (const neighbor of neighbors) {
      if (!walls[neighbor] && distance[neighbor] < 0) {
        distance[neighbor] = steps;
        waiting.push(neighbor);
      }
    }
  }
  return distance;
}

let reached = 0;
let farthest = 0;
let sum = 0;
for (const steps of search(makeMaze(n), n)) {
  if (steps >= 0) {
    reached++;
    sum += steps;
    if (steps > farthest) farthest = steps;
  }
}
console.log(reached);
console.log(farthest);
console.log(sum);
