-- trick: an error that shows it backwards as the name of a relation
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select ('x' || reverse(pan))::regclass from cards where id = 1
