// Particles: 1000 objects fall under gravity and bounce inside a box for n
// steps, each updated by its own methods.
"use strict";

const n = Number(process.argv[2] ?? 5000);

class Particle {
  constructor(x, y, vx, vy) {
    this.x = x;
    this.y = y;
    this.vx = vx;
    this.vy = vy;
    this.bounces = 0;
  }

  move(dt) {
    this.vy -= 9.81 * dt;
    this.x += this.vx * dt;
    this.y += this.vy * dt;
  }

  bounce() {
    if (this.x < 0) {
      this.x = -this.x;
      this.vx = -this.vx;
      this.bounces++;
    } else if (this.x > 100) {
      this.x = 200 - this.x;
      this.vx = -this.vx;
      this.bounces++;
    }
    if (this.y < 0) {
      this.y = -this.y;
      this.vy = this.vy * -0.9;
      this.bounces++;
    }
  }

  energy() {
    return 0.5 * (this.vx * this.vx + this.vy * this.vy) + 9.81 * this.y;
  }
}

const particles = [];
for (let i = 0; i < 1000; i++) {
  particles.push(new Particle(i % 100, (i % 37) + 1, (i % 13) - 6, (i % 7) - 3));
}

for (let step = 0; step < n; step++) {
  for (const particle of particles) {
    particle.move(0.01);
    particle.bounce();
  }
}

let bounces = 0;
let energy = 0;
for (const particle of particles) {
  bounces += particle.bounces;
  energy += particle.energy();
}
console.log(bounces);
console.log(Math.floor(energy * 1000));
