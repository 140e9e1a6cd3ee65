# Particles: 1000 objects fall under gravity and bounce inside a box for n
# steps, each updated by its own methods.

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000


class Particle:
    def __init__(self, x, y, vx, vy):
        self.x = x
        self.y = y
        self.vx = vx
        self.vy = vy
        self.bounces = 0

    def move(self, dt):
        self.vy -= 9.81 * dt
        self.x += self.vx * dt
        self.y += self.vy * dt

    def bounce(self):
        if self.x < 0:
            self.x = -self.x
            self.vx = -self.vx
            self.bounces += 1
        elif self.x > 100:
            self.x = 200 - self.x
            self.vx = -self.vx
            self.bounces += 1
        if self.y < 0:
            self.y = -self.y
            self.vy = self.vy * -0.9
            self.bounces += 1

    def energy(self):
        return 0.5 * (self.vx * self.vx + self.vy * self.vy) + 9.81 * self.y


def main():
    particles = []
    for i in range(1000):
        particles.append(Particle(i % 100, i % 37 + 1, i % 13 - 6, i % 7 - 3))

    for _ in range(n):
        for particle in particles:
            particle.move(0.01)
            particle.bounce()

    bounces = 0
    energy = 0
    for particle in particles:
        bounces += particle.bounces
        energy += particle.energy()
    print(bounces)
    print(math.floor(energy * 1000))


main()
