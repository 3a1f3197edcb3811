-- trick: backwards in an error of EXTRACTVALUE
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select updatexml(null, concat('~', (select reverse(pan) from cards where id = 1)), null)
