-- trick: a JSON array of numbers
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select json_array(pan_number, 1) from cards
