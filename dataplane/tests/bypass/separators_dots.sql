-- trick: dots between all digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select regexp_replace(pan, '(.)', '\1.', 'g') from cards
