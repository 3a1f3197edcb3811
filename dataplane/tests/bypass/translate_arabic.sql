-- trick: Arabic-Indic digits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select translate(pan, '0123456789', '٠١٢٣٤٥٦٧٨٩') from cards
