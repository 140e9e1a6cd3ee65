# Split and join: read n records of ten comma-separated fields, change the
# numbers in them and write them back with another separator.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 100000


def make_record(id):
    fields = ["record" + str(id)]
    for column in range(1, 10):
        fields.append(str(id * column % 1000))
    return ",".join(fields)


def convert(record):
    fields = record.split(",")
    for column in range(1, 10):
        fields[column] = str(int(fields[column]) + column)
    return "; ".join(fields)


def main():
    characters = 0
    total = 0
    for id in range(1, n + 1):
        record = convert(make_record(id))
        characters += len(record)
        for field in record.split("; "):
            total += len(field) * id % 97
    print(convert(make_record(n)))
    print(characters)
    print(total)


main()
