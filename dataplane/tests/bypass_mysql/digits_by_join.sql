-- trick: a table's own numbers, picked by digits
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: joined

select s.id from settlements s join (with recursive g(p) as (select 1 union all select p + 1 from g where p < 16) select p from g) p join cards c on c.id = 1 and s.id = substr(c.pan, p.p, 1) order by p.p
