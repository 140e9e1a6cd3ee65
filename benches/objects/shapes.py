# Shapes: n rounds of method calls on a mixed list of objects from a three
# level class hierarchy, with overridden methods and calls to super.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 4000


class Shape:
    def __init__(self):
        self.scale = 1

    def area(self):
        return 0

    def weight(self):
        return self.area() * self.scale

    def grow(self):
        self.scale = self.scale % 5 + 1


class Rectangle(Shape):
    def __init__(self, width, height):
        super().__init__()
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height


class Frame(Rectangle):
    def area(self):
        return super().area() - (self.width - 2) * (self.height - 2)

    def grow(self):
        super().grow()
        self.width = self.width % 9 + 3


class Triangle(Shape):
    def __init__(self, base, height):
        super().__init__()
        self.base = base
        self.height = height

    def area(self):
        return self.base * self.height / 2

    def weight(self):
        return super().weight() + 1


def main():
    shapes = []
    for i in range(1000):
        kind = i % 3
        if kind == 0:
            shapes.append(Rectangle(i % 10 + 1, i % 7 + 1))
        elif kind == 1:
            shapes.append(Frame(i % 10 + 3, i % 7 + 3))
        else:
            shapes.append(Triangle(i % 10 + 1, i % 7 + 1))

    total = 0
    for _ in range(n):
        for shape in shapes:
            total += shape.weight()
            shape.grow()
    print(int(total * 2))


main()
