-- Caesar cipher: encipher and decipher a text n times, character by character
-- through its code point.

local n = tonumber(arg[1]) or 4000

local byte, char = string.byte, string.char

local function shift(text, distance)
  local shifted = {}
  for i = 1, #text do
    local point = byte(text, i)
    if point >= 97 and point <= 122 then
      shifted[i] = char((point - 97 + distance) % 26 + 97)
    elseif point >= 65 and point <= 90 then
      shifted[i] = char((point - 65 + distance) % 26 + 65)
    else
      shifted[i] = char(point)
    end
  end
  return table.concat(shifted)
end

local text = "The quick brown fox jumps over the lazy dog; Pack my box with five dozen liquor jugs! "
text = text:rep(10)
local checksum = 0
local secret
for round = 1, n do
  secret = shift(text, round % 26)
  checksum = (checksum * 7 + byte(secret, round % #secret + 1)) % 1000003
  if shift(secret, 26 - round % 26) ~= text then print("wrong") end
end
print(secret:sub(1, 43))
print(checksum)
