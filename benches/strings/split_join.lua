-- Split and join: read n records of ten comma-separated fields, change the
-- numbers in them and write them back with another separator.

local n = tonumber(arg[1]) or 100000

local concat = table.concat

local function split(text, separator)
  local parts = {}
  local start = 1
  while true do
    local first, last = text:find(separator, start, true)
    if not first then break end
    parts[#parts + 1] = text:sub(start, first - 1)
    start = last + 1
  end
  parts[#parts + 1] = text:sub(start)
  return parts
end

local function make_record(id)
  local fields = { "record" .. id }
  for column = 1, 9 do
    fields[#fields + 1] = tostring(id * column % 1000)
  end
  return concat(fields, ",")
end

local function convert(record)
  local fields = split(record, ",")
  for column = 1, 9 do
    fields[column + 1] = tostring(tonumber(fields[column + 1]) + column)
  end
  return concat(fields, "; ")
end

local characters = 0
local sum = 0
for id = 1, n do
  local record = convert(make_record(id))
  characters = characters + #record
  for _, field in ipairs(split(record, "; ")) do
    sum = sum + #field * id % 97
  end
end
print(convert(make_record(n)))
print(characters)
print(sum)
