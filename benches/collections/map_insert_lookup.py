# Maps with string keys: insert n keys, look up twice as many (half of them
# absent), remove every third key and add up the values that remain.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 200000


def main():
    table = {}
    for i in range(n):
        table["key" + str(i)] = i % 1000

    found = 0
    total = 0
    for i in range(2 * n):
        key = "key" + str(i * 7 % (2 * n))
        if key in table:
            found += 1
            total += table[key]
    print(found)
    print(total)

    for i in range(0, n, 3):
        del table["key" + str(i)]
    total = 0
    for value in table.values():
        total += value
    print(len(table))
    print(total)


main()
