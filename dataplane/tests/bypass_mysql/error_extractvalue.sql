-- trick: an error of EXTRACTVALUE
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select extractvalue(1, concat('~', (select pan from cards where id = 1)))
