-- trick: a newline between the digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select regexp_replace(pan, '(....)', E'\\1\n', 'g') from cards
