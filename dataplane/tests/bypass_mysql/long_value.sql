-- trick: in the middle of a long value
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select concat(repeat('x', 300000), ' ', pan, ' ', repeat('y', 300000)) from cards where id = 1
