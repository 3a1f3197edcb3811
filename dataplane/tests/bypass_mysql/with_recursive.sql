-- trick: digit by digit by recursion
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

with recursive d(n, digit) as (select 1, substr(pan, 1, 1) from cards where id = 1 union all select n + 1, substr((select pan from cards where id = 1), n + 1, 1) from d where n < 16) select digit from d
