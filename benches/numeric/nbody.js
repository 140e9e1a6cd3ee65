// N-body: the sun and the four large planets under gravity, integrated with
// the symplectic Euler method for n steps; prints the energy before and after.
"use strict";

const n = Number(process.argv[2] ?? 400000);

const solarMass = 4 * Math.PI * Math.PI;
const daysPerYear = 365.24;

class Body {
  constructor(x, y, z, vx, vy, vz, mass) {
    this.x = x;
    this.y = y;
    this.z = z;
    this.vx = vx * daysPerYear;
    this.vy = vy * daysPerYear;
    this.vz = vz * daysPerYear;
    this.mass = mass * solarMass;
  }
}

const bodies = [
  new Body(0, 0, 0, 0, 0, 0, 1),
  new Body(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
    0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
    0.000954791938424326609),
  new Body(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
    -0.00276742510726411899, 0.00499852801234917238, 0.0000230417297573763929,
    0.000285885980666130812),
  new Body(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
    0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
    0.0000436624404335156298),
  new Body(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
    0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
    0.0000515138902046611451),
];

function offsetMomentum(bodies) {
  let px = 0, py = 0, pz = 0;
  for (const body of bodies) {
    px += body.vx * body.mass;
    py += body.vy * body.mass;
    pz += body.vz * body.mass;
  }
  const sun = bodies[0];
  sun.vx = 0 - px / solarMass;
  sun.vy = 0 - py / solarMass;
  sun.vz = 0 - pz / solarMass;
}

function energy(bodies) {
  let total = 0;
  const size = bodies.length;
  for (let i = 0; i < size; i++) {
    const a = bodies[i];
    total += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
    for (let j = i + 1; j < size; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      total -= (a.mass * b.mass) / Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return total;
}

function advance(bodies, dt) {
  const size = bodies.length;
  for (let i = 0; i < size; i++) {
    const a = bodies[i];
    for (let j = i + 1; j < size; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      const distance2 = dx * dx + dy * dy + dz * dz;
      const magnitude = dt / (distance2 * Math.sqrt(distance2));
      let pull = b.mass * magnitude;
      a.vx -= dx * pull;
      a.vy -= dy * pull;
      a.vz -= dz * pull;
      pull = a.mass * magnitude;
      b.vx += dx * pull;
      b.vy += dy * pull;
      b.vz += dz * pull;
    }
  }
  for (const body of bodies) {
    body.x += dt * body.vx;
    body.y += dt * body.vy;
    body.z += dt * body.vz;
  }
}

offsetMomentum(bodies);
console.log(Math.floor(energy(bodies) * 1000000000));
for (let step = 0; step < n; step++) {
  advance(bodies, 0.01);
}
console.log(Math.floor(energy(bodies) * 1000000000));
