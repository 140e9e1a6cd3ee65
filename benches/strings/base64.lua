-- Base64: encode n random bytes and decode them again, with a string for the
-- alphabet and a map for its reverse; n is rounded down to a multiple of three.

local n = tonumber(arg[1]) or 2000000

local floor, sub = math.floor, string.sub

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local digits = {}
for i = 1, #alphabet do
  digits[sub(alphabet, i, i)] = i - 1
end

local function digit(value)
  return sub(alphabet, value + 1, value + 1)
end

local function encode(bytes)
  local quads = {}
  for i = 1, #bytes, 3 do
    local group = bytes[i] * 65536 + bytes[i + 1] * 256 + bytes[i + 2]
    quads[#quads + 1] = digit(floor(group / 262144))
      .. digit(floor(group / 4096) % 64)
      .. digit(floor(group / 64) % 64)
      .. digit(group % 64)
  end
  return table.concat(quads)
end

local function decode(text)
  local bytes = {}
  for i = 1, #text, 4 do
    local group = digits[sub(text, i, i)] * 262144
      + digits[sub(text, i + 1, i + 1)] * 4096
      + digits[sub(text, i + 2, i + 2)] * 64
      + digits[sub(text, i + 3, i + 3)]
    bytes[#bytes + 1] = floor(group / 65536)
    bytes[#bytes + 1] = floor(group / 256) % 256
    bytes[#bytes + 1] = group % 256
  end
  return bytes
end

local bytes = {}
local seed = 1
for i = 1, n - n % 3 do
  seed = seed * 16807 % 2147483647
  bytes[i] = seed % 256
end
local text = encode(bytes)
local decoded = decode(text)
local checksum = 0
for i = 1, #decoded do
  if decoded[i] ~= bytes[i] then print("wrong") end
  checksum = (checksum * 31 + decoded[i]) % 1000003
end
print(sub(text, 1, 40))
print(#text)
print(checksum)
