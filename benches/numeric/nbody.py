# N-body: the sun and the four large planets under gravity, integrated with
# the symplectic Euler method for n steps; prints the energy before and after.

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 400000

SOLAR_MASS = 4 * math.pi * math.pi
DAYS_PER_YEAR = 365.24


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x = x
        self.y = y
        self.z = z
        self.vx = vx * DAYS_PER_YEAR
        self.vy = vy * DAYS_PER_YEAR
        self.vz = vz * DAYS_PER_YEAR
        self.mass = mass * SOLAR_MASS


bodies = [
    Body(0, 0, 0, 0, 0, 0, 1),
    Body(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
         0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
         0.000954791938424326609),
    Body(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
         -0.00276742510726411899, 0.00499852801234917238, 0.0000230417297573763929,
         0.000285885980666130812),
    Body(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
         0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
         0.0000436624404335156298),
    Body(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
         0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
         0.0000515138902046611451),
]


def offset_momentum(bodies):
    px = py = pz = 0
    for body in bodies:
        px += body.vx * body.mass
        py += body.vy * body.mass
        pz += body.vz * body.mass
    sun = bodies[0]
    sun.vx = 0 - px / SOLAR_MASS
    sun.vy = 0 - py / SOLAR_MASS
    sun.vz = 0 - pz / SOLAR_MASS


def energy(bodies):
    total = 0
    size = len(bodies)
    for i in range(size):
        a = bodies[i]
        total += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
        for j in range(i + 1, size):
            b = bodies[j]
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            total -= a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    return total


def advance(bodies, dt):
    sqrt = math.sqrt
    size = len(bodies)
    for i in range(size):
        a = bodies[i]
        for j in range(i + 1, size):
            b = bodies[j]
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            distance2 = dx * dx + dy * dy + dz * dz
            magnitude = dt / (distance2 * sqrt(distance2))
            pull = b.mass * magnitude
            a.vx -= dx * pull
            a.vy -= dy * pull
            a.vz -= dz * pull
            pull = a.mass * magnitude
            b.vx += dx * pull
            b.vy += dy * pull
            b.vz += dz * pull
    for body in bodies:
        body.x += dt * body.vx
        body.y += dt * body.vy
        body.z += dt * body.vz


offset_momentum(bodies)
print(math.floor(energy(bodies) * 1000000000))
for _ in range(n):
    advance(bodies, 0.01)
print(math.floor(energy(bodies) * 1000000000))
