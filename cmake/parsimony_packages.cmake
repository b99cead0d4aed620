# parsimony_package(<package> <Debian name>) finds a package; parsimony_packages_done() stops with one message
# that names all that are missing and how to get them.
set(PARSIMONY_MISSING "")

macro(parsimony_package package debian)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    list(APPEND PARSIMONY_MISSING "${package} (Debian and Ubuntu: ${debian})")
  endif()
endmacro()

function(parsimony_packages_done)
  if(PARSIMONY_MISSING)
    list(JOIN PARSIMONY_MISSING "\n  " missing)
    message(FATAL_ERROR "Packages that were not found:\n  ${missing}\n./dev build installs what is missing with apt-get.")
  endif()
endfunction()
