-- trick: a table's own numbers, picked by digits
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: joined

select n.n from (with recursive g(n) as (select 0 union all select n + 1 from g where n < 9) select n from g) n join (with recursive g(p) as (select 1 union all select p + 1 from g where p < 16) select p from g) p join cards c on c.id = 1 and n.n = substr(c.pan, p.p, 1) order by p.p
