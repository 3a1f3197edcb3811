-- trick: digits in a list
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select group_concat(substr(pan, n, 1) order by n separator 'x') from cards, (with recursive g(n) as (select 1 union all select n + 1 from g where n < 16) select n from g) g where id = 1
