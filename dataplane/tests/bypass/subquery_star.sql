-- trick: * through subqueries, joins, VALUES
-- expect: masked
-- unlabelled: masked
-- decode: digits

select * from (select * from (select pan from cards) a natural join (values (1)) b(n)) c
