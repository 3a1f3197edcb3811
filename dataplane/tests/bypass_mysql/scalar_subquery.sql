-- trick: a subquery for a value
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select (select pan from cards where id = 1)
