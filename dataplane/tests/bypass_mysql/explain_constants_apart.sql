-- trick: what EXPLAIN has computed already
-- expect: masked
-- unlabelled: masked
-- decode: joined
-- direct: fails

explain extended select id from cards where id = (select substr(pan, 1, 8) from cards where id = 1)

show warnings
