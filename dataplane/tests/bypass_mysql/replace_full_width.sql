-- trick: digits of another script
-- expect: masked
-- unlabelled: masked
-- decode: digits

select replace(replace(pan, '4', '４'), '1', '１') from cards where id = 1
