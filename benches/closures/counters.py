# Counters: closures that count in a variable of the function that made them;
# 100 of them, each called n times.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 80000


def make_counter(start, step):
    count = start

    def increment():
        nonlocal count
        count = count + step
        return count

    return increment


def main():
    counters = []
    for i in range(1, 101):
        counters.append(make_counter(i, i % 7 + 1))

    checksum = 0
    for _ in range(n):
        for counter in counters:
            checksum = (checksum + counter()) % 1000003
    print(checksum)


main()
