-- trick: an error of UPDATEXML
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select updatexml(1, concat('~', (select pan from cards where id = 1)), 1)
