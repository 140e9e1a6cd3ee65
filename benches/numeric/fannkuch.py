# Fannkuch: for every permutation of 0 .. n-1 count how many prefix reversals
# bring 0 to the front; prints the alternating sum and the maximum.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 10


def fannkuch(n):
    permutation = list(range(n))
    count = [0] * n
    checksum = 0
    max_flips = 0
    sign = 1
    r = n
    while True:
        while r > 1:
            count[r - 1] = r
            r -= 1

        flips = 0
        work = permutation[:]
        first = work[0]
        while first != 0:
            low = 0
            high = first
            while low < high:
                work[low], work[high] = work[high], work[low]
                low += 1
                high -= 1
            flips += 1
            first = work[0]
        if flips > max_flips:
            max_flips = flips
        checksum += sign * flips
        sign = -sign

        # Rotate ever longer prefixes until one has a rotation left.
        while True:
            if r == n:
                print(checksum)
                print(max_flips)
                return
            first = permutation[0]
            for i in range(r):
                permutation[i] = permutation[i + 1]
            permutation[r] = first
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


fannkuch(n)
