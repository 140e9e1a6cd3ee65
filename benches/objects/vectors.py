# Vectors: a small class of 3D vectors whose operations return new objects;
# n times, turn a frame of reference a little and carry a point along.

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 500000


class Vector:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def plus(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def times(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other):
        return Vector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length(self):
        return math.sqrt(self.dot(self))

    def normalized(self):
        return self.times(1 / self.length())


def main():
    axis = Vector(1, 2, 3).normalized()
    heading = Vector(1, 0, 0)
    position = Vector(0, 0, 0)
    for _ in range(n):
        heading = heading.plus(axis.cross(heading).times(0.001)).normalized()
        position = position.plus(heading.times(0.01))
    print(math.floor(position.x * 1000000))
    print(math.floor(position.y * 1000000))
    print(math.floor(position.z * 1000000))


main()
