-- trick: slashes between groups
-- expect: masked
-- unlabelled: masked
-- decode: digits

select regexp_replace(pan, '(....)', '\1/', 'g') from cards
