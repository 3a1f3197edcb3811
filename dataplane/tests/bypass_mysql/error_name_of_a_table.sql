-- trick: the name of a table that is missing
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

execute immediate concat('select * from `', (select pan from cards where id = 1), '`')
