-- For wrk: reads a product, and each tenth time orders it. Says at the end, in one line of JSON, what went wrong and how long it took.
local count = 0
local started = 0

function setup(thread)
  started = started + 1
  thread:set("number", started)
end

local function order()
  local headers = {
    ["Authorization"] = "Bearer " .. os.getenv("RELOAD_TOKEN"),
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "reload-" .. number .. "-" .. count,
  }
  local body = '{"items":[{"productId":"' .. os.getenv("RELOAD_PRODUCT") .. '","quantity":1}]}'
  return wrk.format("POST", "/api/orders", headers, body)
end

function request()
  count = count + 1
  if count % 10 == 0 then return order() end
  return wrk.format("GET", "/api/products/" .. os.getenv("RELOAD_PRODUCT"))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.1f,"p99Ms":%.1f,"longestMs":%.1f,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1000, latency.max / 1000,
    errors.connect, errors.read, errors.write, errors.timeout, errors.status
  ))
end
