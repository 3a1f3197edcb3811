-- trick: an error that shows it backwards as the name of a type
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select ('x' || reverse(pan))::regtype from cards where id = 1
