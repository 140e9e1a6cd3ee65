// Vectors: a small class of 3D vectors whose operations return new objects;
// n times, turn a frame of reference a little and carry a point along.
"use strict";

const n = Number(process.argv[2] ?? 500000);

class Vector {
  constructor(x, y, z) {
    this.x = x;
    this.y = y;
    this.z = z;
  }

  plus(other) {
    return new Vector(this.x + other.x, this.y + other.y, this.z + other.z);
  }

  times(factor) {
    return new Vector(this.x * factor, this.y * factor, this.z * factor);
  }

  dot(other) {
    return this.x * other.x + this.y * other.y + this.z * other.z;
  }

  cross(other) {
    return new Vector(
      this.y * other.z - this.z * other.y,
      this.z * other.x - this.x * other.z,
      this.x * other.y - this.y * other.x,
    );
  }

  length() {
    return Math.sqrt(this.dot(this));
  }

  normalized() {
    return this.times(1 / this.length());
  }
}

const axis = new Vector(1, 2, 3).normalized();
let heading = new Vector(1, 0, 0);
let position = new Vector(0, 0, 0);
for (let step = 0; step < n; step++) {
  heading = heading.plus(axis.cross(heading).times(0.001)).normalized();
  position = position.plus(heading.times(0.01));
}
console.log(Math.floor(position.x * 1000000));
console.log(Math.floor(position.y * 1000000));
console.log(Math.floor(position.z * 1000000));
