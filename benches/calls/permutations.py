# Permutations: visit all orders of 0 .. n-1 by recursion with swaps and add
# up a checksum of each.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 10


def visit(items):
    total = 0
    for i in range(len(items)):
        total = (total * 3 + items[i]) % 1009
    return total


def permute(items, fixed):
    if fixed == len(items):
        return visit(items)
    total = 0
    for i in range(fixed, len(items)):
        items[fixed], items[i] = items[i], items[fixed]
        total += permute(items, fixed + 1)
        items[fixed], items[i] = items[i], items[fixed]
    return total


print(permute(list(range(n)), 0))
