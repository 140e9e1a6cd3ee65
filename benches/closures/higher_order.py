# Higher-order functions: adders and multipliers made by functions, composed
# in pairs, composed again, and applied n times.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 6000000


def make_adder(amount):
    def adder(x):
        return x + amount

    return adder


def make_multiplier(factor):
    def multiplier(x):
        return x * factor % 10007

    return multiplier


def compose(first, second):
    def composed(x):
        return second(first(x))

    return composed


def main():
    steps = []
    for i in range(1, 9):
        linear = compose(make_multiplier(i + 1), make_adder(i))
        steps.append(compose(linear, make_multiplier(i + 2)))

    value = 1
    total = 0
    for round in range(1, n + 1):
        step = steps[round % 8]
        value = step(value)
        total = (total + value) % 1000003
    print(value)
    print(total)


main()
