-- trick: text around a number
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select concat('pan_', pan, '_end'), concat('x', pan) from cards
