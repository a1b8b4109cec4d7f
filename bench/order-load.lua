-- For wrk: orders of three lines of products that are picked at random.
local products = {}
for id in os.getenv("ORDER_PRODUCTS"):gmatch("[^,]+") do products[#products + 1] = id end
local threads = 0
local count = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  math.randomseed(number)
end

function request()
  count = count + 1
  local lines = {}
  for line = 1, 3 do
    lines[line] = '{"productId":"' .. products[math.random(#products)] .. '","quantity":1}'
  end
  local headers = {
    ["Authorization"] = "Bearer " .. os.getenv("ORDER_TOKEN"),
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = os.getenv("ORDER_ROUND") .. "-" .. number .. "-" .. count,
  }
  return wrk.format("POST", "/api/orders", headers, '{"items":[' .. table.concat(lines, ",") .. "]}")
end
