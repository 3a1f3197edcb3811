-- trick: recursion digit by digit
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

with recursive d(n, rest) as (select '', pan from cards where id = 1 union all select left(rest, 1), substr(rest, 2) from d where rest <> '') select n from d
