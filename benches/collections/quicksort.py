# Quicksort, written by hand: sorts n random numbers in place around the
# middle element (Hoare's partition).

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1200000


def quicksort(items, low, high):
    pivot = items[(low + high) // 2]
    i = low
    j = high
    while i <= j:
        while items[i] < pivot:
            i += 1
        while items[j] > pivot:
            j -= 1
        if i <= j:
            items[i], items[j] = items[j], items[i]
            i += 1
            j -= 1
    if low < j:
        quicksort(items, low, j)
    if i < high:
        quicksort(items, i, high)


def main():
    numbers = []
    seed = 1
    for _ in range(n):
        seed = seed * 16807 % 2147483647
        numbers.append(seed)
    quicksort(numbers, 0, n - 1)

    checksum = 0
    for i in range(1, n):
        if numbers[i] < numbers[i - 1]:
            print("wrong")
        checksum = (checksum * 31 + numbers[i]) % 1000003
    print(checksum)


main()
