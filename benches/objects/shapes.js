// Shapes: n rounds of method calls on a mixed list of objects from a three
// level class hierarchy, with overridden methods and calls to super.
"use strict";

const n = Number(process.argv[2] ?? 4000);

class Shape {
  constructor() {
    this.scale = 1;
  }

  area() {
    return 0;
  }

  weight() {
    return this.area() * this.scale;
  }

  grow() {
    this.scale = (this.scale % 5) + 1;
  }
}

class Rectangle extends Shape {
  constructor(width, height) {
    super();
    this.width = width;
    this.height = height;
  }

  area() {
    return this.width * this.height;
  }
}

class Frame extends Rectangle {
  area() {
    return super.area() - (this.width - 2) * (this.height - 2);
  }

  grow() {
    super.grow();
    this.width = (this.width % 9) + 3;
  }
}

class Triangle extends Shape {
  constructor(base, height) {
    super();
    this.base = base;
    this.height = height;
  }

  area() {
    return (this.base * this.height) / 2;
  }

  weight() {
    return super.weight() + 1;
  }
}

const shapes = [];
for (let i = 0; i < 1000; i++) {
  const kind = i % 3;
  if (kind === 0) {
    shapes.push(new Rectangle((i % 10) + 1, (i % 7) + 1));
  } else if (kind === 1) {
    shapes.push(new Frame((i % 10) + 3, (i % 7) + 3));
  } else {
    shapes.push(new Triangle((i % 10) + 1, (i % 7) + 1));
  }
}

let total = 0;
for (let round = 0; round < n; round++) {
  for (const shape of shapes) {
    total += shape.weight();
    shape.grow();
  }
}
console.log(total * 2);
