-- trick: ANALYZE of a statement
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

analyze format = json select * from settlements where note = (select pan from cards where id = 1)
