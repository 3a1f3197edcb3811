-- trick: an array, and one of numbers
-- expect: masked
-- unlabelled: masked
-- decode: digits

select array_agg(pan), array_agg(pan_number), array_agg(array[pan, holder]) from cards
