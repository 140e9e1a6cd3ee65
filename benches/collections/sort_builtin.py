# Built-in sorting of n random numbers, n strings and n records by a key.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 250000


class Record:
    def __init__(self, id, rank):
        self.id = id
        self.rank = rank


def random_numbers(n, seed):
    numbers = []
    for _ in range(n):
        seed = seed * 16807 % 2147483647
        numbers.append(seed)
    return numbers


def main():
    numbers = random_numbers(n, 1)
    numbers.sort()
    checksum = 0
    for i in range(n):
        checksum = (checksum + numbers[i] % 1000 * i) % 1000003
    print(checksum)

    words = []
    for number in random_numbers(n, 2):
        words.append("w" + str(number))
    words.sort()
    checksum = 0
    for i in range(n):
        checksum = (checksum + len(words[i]) * i) % 1000003
    print(f"{words[0]} {words[n - 1]} {checksum}")

    records = []
    for number in random_numbers(n, 3):
        records.append(Record(len(records), number))
    records.sort(key=lambda record: record.rank)
    checksum = 0
    for i in range(n):
        checksum = (checksum + records[i].id * i) % 1000003
    print(checksum)


main()
